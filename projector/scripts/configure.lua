-- configure.lua: a tenant's configuration becomes this one, as its next version.
--
-- KEYS[1]  config    hash: version, the fields of the configuration, and for each channel
--                    channel_since:CODE, the server's time in ms; never expires
-- KEYS[2]  requests  stream: the partition's private log
-- ARGV[1]  tenant
-- ARGV[2]  count     of the fields
-- ARGV[3]  field     ARGV[4] value    and so on, in pairs
--
-- Returns {"configured", version} | {"unchanged", version}

local config, tenant, last = KEYS[1], ARGV[1], 2 + 2 * tonumber(ARGV[2])

local stored, since = {}, {}
local flat = redis.call('HGETALL', config)
for place = 1, #flat, 2 do
  local code = string.match(flat[place], '^channel_since:(.*)$')
  if code then since[code] = flat[place + 1] else stored[flat[place]] = flat[place + 1] end
end
local version = tonumber(stored.version or 0)
stored.version = nil

-- Not before what is in the log already: a server that took over may have an earlier time.
local latest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local now = math.max(now_ms(), latest and tonumber(string.match(latest[1], '^%d+')) or 0)

-- From this time on nothing that is accepted goes elsewhere.
local function leads_there_since(code, before, after)
  if before == after then return since[code] end
  -- What was accepted in this very millisecond may have gone where the code led until now.
  return string.format('%.0f', before and now + 1 or now)
end

local changed, channels = false, {}
for place = 3, last, 2 do
  local field, value = ARGV[place], ARGV[place + 1]
  local code = string.match(field, '^channel:(.*)$')
  if code then channels[code] = leads_there_since(code, stored[field], value) end
  if stored[field] ~= value then changed = true end
  stored[field] = nil
end
-- What is left stands in the store only.
if not changed and not next(stored) then return {'unchanged', version} end

version = string.format('%.0f', version + 1)
redis.call('DEL', config)
redis.call('HSET', config, 'version', version)
for place = 3, last, 2 do redis.call('HSET', config, ARGV[place], ARGV[place + 1]) end
for code, at in pairs(channels) do redis.call('HSET', config, 'channel_since:' .. code, at) end
redis.call('XADD', KEYS[2], '*', 'event', 'configured', 'tenant', tenant, 'version', version)
return {'configured', version}
