-- A strict sliding window of one key, counted in cells. A row: when the newest cell was opened, the
-- counts from it to the oldest, and the instants of their last grants. A cell counts whole until
-- its last grant has left the window. The limit's numbers: quota, window_us, sub-windows.
local quota, window_us, sub_windows = struct.unpack('>ddd', ARGV[2], 33)
local cells = sub_windows + 2
local layout = '>' .. string.rep('d', 1 + 2 * cells)

local start, counts, lasts = now, {}, {}
for i = 1, cells do counts[i], lasts[i] = 0, 0 end
local stored = redis.call('GET', KEYS[1])
if stored and #stored == 8 + 16 * cells then
  local row = {struct.unpack(layout, stored)}
  if now < row[2 + cells] then instant(row[2 + cells], window_us) end
  start = math.min(row[1], now)
  for i = 1, cells do
    counts[i], lasts[i] = row[1 + i], math.min(row[1 + cells + i], now)
  end
end

local opened, used = now - window_us, 0
for i = 1, cells do
  if lasts[i] > opened then used = used + counts[i] end
end

-- A cell is full with its share of the quota, and over after the length of a sub-window; but what
-- comes at one instant leaves at one, and where no cell is free the newest one takes all.
local function open_cell(cost)
  local over = now - start >= math.ceil(window_us / sub_windows)
  local full = counts[1] + cost > math.ceil(quota / cells)
  if counts[1] == 0 then
    start = now
  elseif (over or full) and lasts[1] < now and (counts[cells] == 0 or lasts[cells] <= opened) then
    start = now
    table.remove(counts)
    table.remove(lasts)
    table.insert(counts, 1, 0)
    table.insert(lasts, 1, 0)
  end
end

local granted = 0
if operation == 'take' then granted = portion(quota - used) end
if granted > 0 then
  open_cell(granted)
  counts[1], lasts[1] = counts[1] + granted, now
  used = used + granted
elseif operation == 'give' then
  local back = most
  for i = 1, cells do
    local part = math.min(back, counts[i])
    counts[i], back = counts[i] - part, back - part
    if lasts[i] > opened then used = used - part end
  end
end

local reset_us = 0
for i = cells, 1, -1 do
  if counts[i] > 0 then reset_us = math.max(lasts[i] + window_us - now, 0) end
end
if granted > 0 or (operation == 'give' and stored) then
  local row = {start, unpack(counts)}
  for i = 1, cells do row[1 + cells + i] = lasts[i] end
  keep(struct.pack(layout, unpack(row)), reset_us)
end

-- Microseconds until a refused cost fits, if nothing else is granted until then.
local cost = granted == most and 0 or least
local left, retry_us = math.max(quota - used, 0), cost > quota and -1 or 0
for i = cells, 1, -1 do
  if retry_us < 0 or used + cost <= quota then break end
  if lasts[i] > opened then
    used, retry_us = used - counts[i], lasts[i] + window_us - now
  end
end
return {granted, 0, left, retry_us, reset_us}
