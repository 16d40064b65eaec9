-- discard.lua: remove views of generations that are neither shown nor being built.
--
-- KEYS[1]  projection  hash: see position.lua
-- KEYS[2...]           views
-- ARGV[1...]           the generation of each
--
-- Returns {removed}

local known = redis.call('HMGET', KEYS[1], 'current', 'building')
local current, building, removed = known[1] or '0', known[2], 0
for place, generation in ipairs(ARGV) do
  if KEYS[1 + place] and generation ~= current and generation ~= building then
    removed = removed + redis.call('UNLINK', KEYS[1 + place])
  end
end
return {string.format('%.0f', removed)}
