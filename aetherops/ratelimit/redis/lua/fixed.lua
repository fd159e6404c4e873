-- A fixed window of one key. A row: its start, the count in it. The limit's numbers: quota,
-- window_us.
local quota, window_us = struct.unpack('>dd', ARGV[2], 33)

local stored = redis.call('GET', KEYS[1])
local start, count = now, 0
if stored and #stored == 16 then
  start, count = struct.unpack('>dd', stored)
  if now < start then start = instant(start, window_us) end
  if now - start >= window_us or count == 0 then start, count = now, 0 end
end

local granted = 0
if operation == 'take' then granted = portion(quota - count) end
local counted = operation == 'give' and math.max(count - most, 0) or count + granted
if counted ~= count then
  count = counted
  keep(struct.pack('>dd', start, count), start + window_us - now)
end

local cost = granted == most and 0 or least
local reset_us = count > 0 and start + window_us - now or 0
local retry_us = 0
if cost > quota then
  retry_us = -1
elseif cost > quota - count then
  retry_us = reset_us
end
return {granted, 0, math.max(quota - count, 0), retry_us, reset_us}
