-- A fixed window of one key. A row: its start, the count in it. ARGV[7…]: quota, window_us.
local quota, window_us = tonumber(ARGV[7]), tonumber(ARGV[8])

local stored = redis.call('GET', KEYS[1])
local row = stored and numbers(stored) or {}
if #row ~= 2 then row = {now, 0} end
local start, count = instant(row[1], window_us), row[2]
if now - start >= window_us or count == 0 then start, count = now, 0 end

local granted = 0
if operation == 'take' then granted = portion(quota - count) end
local counted = operation == 'give' and max(count - most, 0) or count + granted
if counted ~= count then
  count = counted
  keep({start, count}, start + window_us - now)
end

local cost = open_cost(granted)
local reset_us = count > 0 and start + window_us - now or 0
local retry_us = 0
if cost > quota then
  retry_us = -1
elseif cost > quota - count then
  retry_us = reset_us
end
return text_of({granted, 0, max(quota - count, 0), retry_us, reset_us})
