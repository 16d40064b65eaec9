-- configure.lua: a tenant's configuration becomes this one, as its next version.
--
-- KEYS[1]  config    hash: version, and the fields of the configuration; never expires
-- KEYS[2]  requests  stream: the partition's private log
-- ARGV[1]  tenant
-- ARGV[2]  count     of the fields
-- ARGV[3]  field     ARGV[4] value    and so on, in pairs
--
-- Returns {"configured", version} | {"unchanged", version}

local config, tenant, last = KEYS[1], ARGV[1], 2 + 2 * tonumber(ARGV[2])

local stored = {}
local flat = redis.call('HGETALL', config)
for place = 1, #flat, 2 do stored[flat[place]] = flat[place + 1] end
local version = tonumber(stored.version or 0)
stored.version = nil

local changed = false
for place = 3, last, 2 do
  if stored[ARGV[place]] ~= ARGV[place + 1] then changed = true end
  stored[ARGV[place]] = nil
end
-- What is left stands in the store only.
if not changed and not next(stored) then return {'unchanged', version} end

version = string.format('%.0f', version + 1)
redis.call('DEL', config)
redis.call('HSET', config, 'version', version)
for place = 3, last, 2 do redis.call('HSET', config, ARGV[place], ARGV[place + 1]) end
redis.call('XADD', KEYS[2], '*', 'event', 'configured', 'tenant', tenant, 'version', version)
return {'configured', version}
