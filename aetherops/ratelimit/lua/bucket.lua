-- Token buckets of one key, taken from together. A row: stamp, then credit and capacity of each
-- tier in its units. ARGV[7…]: gain, price and capacity of each tier.
local tiers, reach_us = {}, 0
for i = 7, #ARGV, 3 do
  local tier = {gain = tonumber(ARGV[i]), price = tonumber(ARGV[i + 1]),
                capacity = tonumber(ARGV[i + 2])}
  tier.fill_us = ceil(tier.capacity / tier.gain)
  reach_us = max(reach_us, tier.fill_us)
  tiers[#tiers + 1] = tier
end

local stored = redis.call('GET', KEYS[1])
local row = stored and numbers(stored) or {}
if #row ~= 1 + 2 * #tiers then row = {now} end
local stamp = instant(row[1], reach_us)
local elapsed = now - stamp
local room, largest
for i, tier in ipairs(tiers) do
  local credit, capacity = row[2 * i] or tier.capacity, row[2 * i + 1] or tier.capacity
  if capacity ~= tier.capacity then  -- the limit was changed: keep the share, rounded down
    credit = min(floor(credit / capacity * tier.capacity), tier.capacity)
  end
  if elapsed >= tier.fill_us then
    credit = tier.capacity
  else
    credit = min(credit + elapsed * tier.gain, tier.capacity)
  end
  tier.credit = credit
  local tokens = floor(credit / tier.price)
  room = room and min(room, tokens) or tokens
  local most_tokens = floor(tier.capacity / tier.price)
  largest = largest and min(largest, most_tokens) or most_tokens
end

local granted = 0
if operation == 'take' then granted = portion(room) end
local change = operation == 'give' and min(most, largest) or -granted
if change ~= 0 then
  local kept, rest_us = {now}, 0
  for _, tier in ipairs(tiers) do
    tier.credit = min(tier.credit + change * tier.price, tier.capacity)
    kept[#kept + 1] = tier.credit
    kept[#kept + 1] = tier.capacity
    rest_us = max(rest_us, ceil((tier.capacity - tier.credit) / tier.gain))
  end
  keep(kept, rest_us)
end

-- Of the tier with the longest wait, or where none waits, the one with least left.
local cost = open_cost(granted)
local binding, left, retry_us, reset_us = 0, 0, 0, 0
for i, tier in ipairs(tiers) do
  local remaining, wait_us = floor(tier.credit / tier.price), -1
  if cost <= floor(tier.capacity / tier.price) then
    wait_us = max(ceil((cost * tier.price - tier.credit) / tier.gain), 0)
  end
  local tighter
  if wait_us == retry_us then
    tighter = remaining < left
  else
    tighter = retry_us >= 0 and (wait_us < 0 or wait_us > retry_us)
  end
  if i == 1 or tighter then
    binding, left, retry_us = i - 1, remaining, wait_us
    reset_us = ceil((tier.capacity - tier.credit) / tier.gain)
  end
end
return text_of({granted, binding, left, retry_us, reset_us})
