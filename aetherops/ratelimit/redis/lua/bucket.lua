-- Token buckets of one key, taken from together. A row: stamp, then credit and capacity of each
-- tier in its units. The limits' numbers: gain, price and capacity of each tier.
local numbers, read = ARGV[2], struct.unpack
local tiers = (#numbers - 32) / 24
local stored = redis.call('GET', KEYS[1])
if stored and #stored ~= 8 + 16 * tiers then stored = false end

local elapsed = 0
if stored then
  local stamp = read('>d', stored)
  if now < stamp then
    local reach_us = 0
    for i = 1, tiers do
      local gain, _, capacity = read('>ddd', numbers, 9 + 24 * i)
      reach_us = math.max(reach_us, math.ceil(capacity / gain))
    end
    stamp = instant(stamp, reach_us)
  end
  elapsed = now - stamp
end

local credits, room = {}, math.huge
for i = 1, tiers do
  local gain, price, capacity = read('>ddd', numbers, 9 + 24 * i)
  local credit, held_of = capacity, capacity
  if stored then credit, held_of = read('>dd', stored, 16 * i - 7) end
  if held_of ~= capacity then  -- the limit was changed: keep the share, rounded down
    credit = math.min(math.floor(credit / held_of * capacity), capacity)
  end
  credit = credit + elapsed * gain
  if credit > capacity then credit = capacity end
  credits[i] = credit
  local tokens = (credit - credit % price) / price
  if tokens < room then room = tokens end
end

local granted, change = 0, 0
if operation == 'take' then
  granted = portion(room)
  change = -granted
elseif operation == 'give' then
  change = most
  for i = 1, tiers do
    local _, price, capacity = read('>ddd', numbers, 9 + 24 * i)
    change = math.min(change, math.floor(capacity / price))
  end
end

-- Tells of the tier with the longest wait, or where none waits, of the one with least left.
local cost = granted == most and 0 or least
local binding, left, retry_us, reset_us = 0, 0, 0, 0
local row, rest_us = change ~= 0 and '', 0
for i = 1, tiers do
  local gain, price, capacity = read('>ddd', numbers, 9 + 24 * i)
  local credit = credits[i] + change * price
  if credit > capacity then credit = capacity end
  local remaining, missing = (credit - credit % price) / price, capacity - credit
  local full_us, wait_us = (missing + -missing % gain) / gain, 0
  missing = cost * price - credit
  if cost * price > capacity then
    wait_us = -1
  elseif missing > 0 then
    wait_us = (missing + -missing % gain) / gain
  end
  local tighter = i == 1
  if wait_us == retry_us then
    tighter = tighter or remaining < left
  else
    tighter = tighter or retry_us >= 0 and (wait_us < 0 or wait_us > retry_us)
  end
  if tighter then
    binding, left, retry_us, reset_us = i - 1, remaining, wait_us, full_us
  end
  if row then
    row = i == 1 and struct.pack('>ddd', now, credit, capacity)
      or row .. struct.pack('>dd', credit, capacity)
    if full_us > rest_us then rest_us = full_us end
  end
end
if row then keep(row, rest_us) end
return {granted, binding, left, retry_us, reset_us}
