-- bound.lua: put in front of what looks at the log's oldest events.
--
-- KEYS[1] projection  hash: see position.lua
-- KEYS[2] requests    stream: the partition's private log
-- ARGV[1] retention_ms    ARGV[2] limit, of the events of each stream looked at

local projection, requests = KEYS[1], KEYS[2]
local retention_ms, limit = tonumber(ARGV[1]), ARGV[2]

local function folded_id(generation, name)
  return redis.call('HGET', projection, generation .. ':' .. name) or '0-0'
end

-- The end of a range: no later than `id`, and before `ms`.
local function no_later(id, ms)
  if tonumber(string.match(id, '^%d+')) < ms then return id end
  return string.format('%.0f', ms - 1)
end

-- The oldest events that are folded and older than the retention; `before_ms` bounds them further.
local function oldest(name, stream, before_ms)
  local folded = folded_id(redis.call('HGET', projection, 'current') or '0', name)
  local last = no_later(folded, math.min(now_ms() - retention_ms, before_ms or math.huge))
  return redis.call('XRANGE', stream, '-', last, 'COUNT', limit)
end
