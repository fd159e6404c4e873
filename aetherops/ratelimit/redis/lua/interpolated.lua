-- An interpolated sliding window of one key, counted in cells of one grid. A row: the instant of the
-- last grant, index of the newest cell, the counts from it to the oldest. The limit's numbers:
-- quota, window_us, older cells beside the newest.
local floor, max = math.floor, math.max
local quota, window_us, older = struct.unpack('>ddd', ARGV[2], 33)
local cell_us = math.ceil(window_us / older)  -- what is used is counted in 1/cell_us
local cells = older + 1
local layout = '>' .. string.rep('d', 2 + cells)

local last, newest, counts = now, floor(now / cell_us), {}
for i = 1, cells do counts[i] = 0 end
local stored = redis.call('GET', KEYS[1])
if stored and #stored == 16 + 8 * cells then
  local row = {struct.unpack(layout, stored)}
  local behind = 0
  last = row[1]
  if now < last then
    last = instant(last, window_us)
    behind = floor(row[1] / cell_us) - floor(last / cell_us)
  end
  newest = row[2] - behind
  for i = 1, cells do counts[i] = row[2 + i] end
end
local index = floor(now / cell_us)

local function used()
  local leaving, sum = older - (index - newest), 0
  if leaving < 0 then return 0 end
  for i = 1, leaving do sum = sum + counts[i] end
  return sum * cell_us + counts[leaving + 1] * (cell_us - now % cell_us)
end

local function rest()
  for i = 1, cells do
    if counts[i] > 0 then return max((newest - i + 1 + cells) * cell_us - now, 0) end
  end
  return 0
end

local granted = 0
if operation == 'take' then granted = portion(floor((quota * cell_us - used()) / cell_us)) end
if granted > 0 then
  for _ = 1, math.min(index - newest, cells) do
    table.remove(counts)
    table.insert(counts, 1, 0)
  end
  last, newest = now, index
  counts[1] = counts[1] + granted
elseif operation == 'give' then
  local back = most
  for i = 1, cells do
    local part = math.min(back, counts[i])
    counts[i], back = counts[i] - part, back - part
  end
end
if granted > 0 or (operation == 'give' and stored) then
  keep(struct.pack(layout, last, newest, unpack(counts)), rest())
end

-- Microseconds until a refused cost fits, if nothing else is granted until then.
local function wait(cost)
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
local room, retry_us = quota * cell_us - used(), -1
if cost <= quota then
  retry_us = cost * cell_us <= room and 0 or wait(cost)
end
return {granted, 0, max(floor(room / cell_us), 0), retry_us, rest()}
