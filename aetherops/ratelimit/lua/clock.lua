-- Put before each of the other scripts: arguments and time.
-- KEYS[1]  what is kept of one limited key; absent while it is as if never seen.
-- ARGV     now_us ('' for the server's clock), 'take' | 'look' | 'give', least, most, replicas,
--          jitter_ms, then the limits.
-- Answers  granted, index of the limit that binds, units left, microseconds until `least` fits (0
--          where all of `most` was granted, -1 for never), microseconds until as if never seen.
-- Every number is a whole one below 2^53, which a Lua number holds exactly.
local floor, ceil, min, max = math.floor, math.ceil, math.min, math.max
local format = string.format
local operation, least, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local replicas, jitter_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
local now, own_clock = tonumber(ARGV[1]), false
if not now then
  local time = redis.call('TIME')
  now, own_clock = time[1] * 1000000 + time[2], true
end

-- The instant of a decision: never before what is stored, so that nothing is granted twice.
-- A stamp further ahead than any limit reaches was left by a server whose clock was set back
-- since; it would refuse until then, so it is taken as now, with no credit for the time.
local function instant(stamp, reach_us)
  if now >= stamp then return stamp end
  if own_clock and stamp - now > reach_us + 1000000 then return now end
  now = stamp
  return stamp
end

-- What is granted of the room: as many times `least` as fit it, up to `most`. A lease (replicas
-- above 0) takes no more than its fair share of half the room, down to `least`, so that the last
-- of a limit is not locked up in leases.
local function portion(room)
  local wanted = most
  if replicas > 0 then
    wanted = max(min(most, floor(room / (2 * replicas))), least)
  end
  return floor(max(min(wanted, room), 0) / least) * least
end

-- The cost that the answer is about: what was refused, if anything was.
local function open_cost(granted)
  return granted == most and 0 or least
end

local function numbers(text)
  local list, n = {}, 0
  for number in string.gmatch(text, '%S+') do
    n = n + 1
    list[n] = tonumber(number)
  end
  return list
end

local function text_of(list)
  return format(string.rep(' %.0f', #list), unpack(list))
end

-- Keep a row until it says nothing any more, and a little longer.
local function keep(row, rest_us)
  redis.call('SET', KEYS[1], text_of(row), 'PX',
    format('%.0f', ceil(rest_us / 1000) + 1000 + jitter_ms))
end
