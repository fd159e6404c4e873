-- Put before each of the other scripts: what is asked, and when.
-- KEYS[1]  what is kept of one limited key; absent while it is as if never seen.
-- ARGV[1]  'take' | 'look' | 'give'.
-- ARGV[2]  numbers: now_us (negative for the server's clock), least, most, replicas, the limits'.
-- Answers  granted, index of the limit that binds, units left, microseconds until `least` fits (0
--          where all of `most` was granted, -1 for never), microseconds until as if never seen.
-- Numbers are doubles, packed big-endian both here and in what is kept: quicker to read than
-- text. Each is a whole one below 2^53, which a double holds exactly. A quotient is rounded down
-- as `(a - a % b) / b`, which costs no call.
local operation = ARGV[1]
local now, least, most, replicas = struct.unpack('>dddd', ARGV[2])
local own_clock = now < 0
if own_clock then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- The instant of a decision: never before what is stored, so that nothing is granted twice.
-- A stamp further ahead than any limit reaches was left by a server whose clock was set back
-- since; it would refuse until then, so it is taken as now, with no credit for the time.
local function instant(stamp, reach_us)
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
    local fair = room / (2 * replicas)
    if fair < wanted then wanted = fair > least and fair or least end
  end
  if wanted > room then wanted = room end
  return wanted < least and 0 or wanted - wanted % least
end

-- Keep a row until it says nothing any more, and up to a second longer: by what chances to be the
-- part of a millisecond now, so that keys that were written together do not expire together.
local function keep(row, rest_us)
  redis.call('SET', KEYS[1], row, 'PX', math.ceil(rest_us / 1000) + 1000 + now % 1000)
end
