-- begin_rebuild.lua: begin another generation of a partition's views, in place of one half built.
--
-- KEYS[1]  projection  hash: see position.lua
-- KEYS[2]  requests    KEYS[3] outcomes  streams: the log
--
-- Returns {generation, events}: how many stand in the log

local projection = KEYS[1]

local known = redis.call('HMGET', projection, 'current', 'building')
local current, building = known[1] or '0', known[2]
local generation = string.format('%.0f', math.max(current, building or 0) + 1)

redis.call('HSET', projection, 'current', current, 'building', generation)
local events = 0
for place, name in ipairs({'requests', 'outcomes'}) do
  local stream = KEYS[1 + place]
  if redis.call('EXISTS', stream) == 1 then
    local about = redis.call('XINFO', 'STREAM', stream)
    local counted = {}
    for field = 1, #about, 2 do counted[about[field]] = about[field + 1] end
    events = events + counted.length
    -- What was trimmed before now counts as folded.
    redis.call('HSET', projection, generation .. ':' .. name .. ':folded',
      string.format('%.0f', counted['entries-added'] - counted.length))
  end
end
return {generation, string.format('%.0f', events)}
