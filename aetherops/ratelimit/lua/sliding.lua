-- A sliding window of one key, counted in cells of one grid. A row: index of the newest cell, the
-- counts of it and of the `older` cells before it, and the instants of their last grants.
-- The limit's numbers: quota, window_us, older, 1 for strict ones and 0 for interpolated ones.
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local quota, window_us, older, is_strict = struct.unpack('>dddd', ARGV[2], 33)
local strict = is_strict == 1
local cell_us = ceil(window_us / older)
local unit = strict and 1 or cell_us  -- what is used is counted in 1/unit
local cells = older + 1

local stored = redis.call('GET', KEYS[1])
local layout = '>' .. string.rep('d', 1 + 2 * cells)
local row = stored and #stored == 8 + 16 * cells and {struct.unpack(layout, stored)} or {}
local counts, lasts = {}, {}
local newest = floor(now / cell_us)
if row[1] then
  local last = row[2 + cells]
  if now < last then last = instant(last, window_us) end
  local behind = last < row[2 + cells] and floor(row[2 + cells] / cell_us) - newest or 0
  newest = row[1] - behind
  for i = 1, cells do
    counts[i], lasts[i] = row[1 + i], min(row[1 + cells + i], now)
  end
else
  for i = 1, cells do counts[i], lasts[i] = 0, 0 end
end
local index = floor(now / cell_us)

local function used()
  local sum = 0
  if strict then
    for i = 1, cells do
      if lasts[i] > now - window_us then sum = sum + counts[i] end
    end
    return sum
  end
  local leaving = older - (index - newest)
  if leaving < 0 then return 0 end
  for i = 1, leaving do sum = sum + counts[i] end
  return sum * cell_us + counts[leaving + 1] * (cell_us - now % cell_us)
end

local function rest()
  for i = 1, cells do
    if counts[i] > 0 and strict then return max(lasts[i] + window_us - now, 0) end
    if counts[i] > 0 then return max((newest - i + 1 + cells) * cell_us - now, 0) end
  end
  return 0
end

local function store()
  local kept = {newest}
  for i = 1, cells do kept[#kept + 1] = counts[i] end
  for i = 1, cells do kept[#kept + 1] = lasts[i] end
  keep(struct.pack(layout, unpack(kept)), rest())
end

local granted = 0
if operation == 'take' and least <= quota then
  granted = portion(floor((quota * unit - used()) / unit))
end
if granted > 0 then
  for _ = 1, min(index - newest, cells) do
    table.insert(counts, 1, 0)
    table.insert(lasts, 1, 0)
    counts[cells + 1], lasts[cells + 1] = nil, nil
  end
  newest = index
  counts[1], lasts[1] = counts[1] + granted, now
  store()
elseif operation == 'give' and stored then
  local back = most
  for i = 1, cells do
    local part = min(back, counts[i])
    counts[i], back = counts[i] - part, back - part
  end
  store()
end

-- Microseconds until a refused cost fits, if nothing else is granted until then.
local function wait_strict(cost)
  local held, leaves_us = used(), 0
  for i = cells, 1, -1 do
    if held + cost <= quota then break end
    if lasts[i] > now - window_us then
      held, leaves_us = held - counts[i], lasts[i] + window_us - now
    end
  end
  return leaves_us
end

local function wait_interpolated(cost)
  local at = index
  while true do
    local leaving, whole = older - (at - newest), 0
    for i = 1, leaving do whole = whole + counts[i] end
    local oldest = leaving >= 0 and counts[leaving + 1] or 0
    local spare = quota - cost - whole
    if spare >= 0 then
      local stay_us = oldest > 0 and floor(spare * cell_us / oldest) or cell_us
      return max(at * cell_us + max(cell_us - stay_us, 0) - now, 0)
    end
    at = at + 1
  end
end

local cost = granted == most and 0 or least
local room, retry_us = quota * unit - used(), -1
if cost <= quota then
  if cost * unit <= room then
    retry_us = 0
  else
    retry_us = strict and wait_strict(cost) or wait_interpolated(cost)
  end
end
return {granted, 0, max(floor(room / unit), 0), retry_us, rest()}
