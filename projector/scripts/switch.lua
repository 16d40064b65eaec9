-- switch.lua: show the generation that was built, if it is as far as the one that is shown.
--
-- KEYS[1]  projection  hash: see position.lua
-- KEYS[2]  requests    KEYS[3] outcomes  streams: the log
-- ARGV[1]  generation  the one that was built
--
-- Returns {"switched"} | {"superseded"} (by another rebuild)
--   | {"behind", requests_id, outcomes_id, until_requests_id, until_outcomes_id}

local projection, generation = KEYS[1], ARGV[1]

local state = {}
local flat = redis.call('HGETALL', projection)
for place = 1, #flat, 2 do state[flat[place]] = flat[place + 1] end
if state.current == generation then return {'switched'} end
if state.building ~= generation then return {'superseded'} end

local function folded_id(of, name) return state[of .. ':' .. name] or '0-0' end

-- No further than the live one: what that has not folded it may not have dispatched.
local here = {folded_id(generation, 'requests'), folded_id(generation, 'outcomes')}
local there = {folded_id(state.current, 'requests'), folded_id(state.current, 'outcomes')}
for place = 1, 2 do
  if #redis.call('XRANGE', KEYS[1 + place], '(' .. here[place], there[place], 'COUNT', 1) > 0 then
    return {'behind', here[1], here[2], there[1], there[2]}
  end
end

redis.call('DEL', projection)
redis.call('HSET', projection, 'current', generation)
for _, name in ipairs({'requests', 'outcomes'}) do
  local folded = generation .. ':' .. name
  redis.call('HSET', projection, folded, folded_id(generation, name),
    folded .. ':folded', state[folded .. ':folded'] or '0')
end
return {'switched'}
