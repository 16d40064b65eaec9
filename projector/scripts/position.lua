-- position.lua: put in front of every fold: an event is applied once, and right after the one before.
--
-- KEYS[1] position  hash: STREAM = its last folded id, STREAM:folded = how many were folded
-- ARGV[1] stream    ARGV[2] after_id, of the event before this one    ARGV[3] event_id

local position, stream, after_id, event_id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local folded_id = redis.call('HGET', position, stream) or '0-0'

local function is_folded()
  local ms, number = string.match(event_id, '^(%d+)-(%d+)$')
  local folded_ms, folded_number = string.match(folded_id, '^(%d+)-(%d+)$')
  if tonumber(ms) ~= tonumber(folded_ms) then return tonumber(ms) < tonumber(folded_ms) end
  return tonumber(number) <= tonumber(folded_number)
end

-- What keeps the event from being folded now, as the script's reply, or nil.
local function hindrance()
  if is_folded() then return {'seen'} end
  -- A fold before this one in a pipeline failed, or another projector is ahead: read again.
  if folded_id ~= after_id then return {'gap', folded_id} end
end

-- The last thing that a fold does: what fails before it leaves the position where it was.
local function advance()
  redis.call('HSET', position, stream, event_id)
  redis.call('HINCRBY', position, stream .. ':folded', 1)
  return {'applied'}
end
