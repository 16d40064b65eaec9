-- position.lua: put in front of every fold: an event is applied once, and right after the one before.
--
-- KEYS[1] projection  hash: current and building, generations of the views; and of each generation
--                     G:STREAM = its last folded id, G:STREAM:folded = how many were folded
-- ARGV[1] generation  ARGV[2] stream    ARGV[3] after_id, of the event before this one
-- ARGV[4] event_id

local projection, generation, stream = KEYS[1], ARGV[1], ARGV[2]
local after_id, event_id = ARGV[3], ARGV[4]
local place = generation .. ':' .. stream
local state = redis.call('HMGET', projection, 'current', 'building', place)
local current, building, folded_id = state[1] or '0', state[2], state[3] or '0-0'

local function is_folded()
  local ms, number = string.match(event_id, '^(%d+)-(%d+)$')
  local folded_ms, folded_number = string.match(folded_id, '^(%d+)-(%d+)$')
  if tonumber(ms) ~= tonumber(folded_ms) then return tonumber(ms) < tonumber(folded_ms) end
  return tonumber(number) <= tonumber(folded_number)
end

-- What keeps the event from being folded now, as the script's reply, or nil.
local function hindrance()
  -- A rebuild has put another generation in this one's place: these views are to be removed.
  if generation ~= current and generation ~= building then return {'gap', folded_id} end
  if is_folded() then return {'seen'} end
  -- A fold before this one in a pipeline failed, or another projector is ahead: read again.
  if folded_id ~= after_id then return {'gap', folded_id} end
end

-- The last thing that a fold does: what fails before it leaves the position where it was.
local function advance()
  redis.call('HSET', projection, place, event_id)
  redis.call('HINCRBY', projection, place .. ':folded', 1)
  return {'applied'}
end
