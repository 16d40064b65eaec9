-- resolve.lua: a request and the fields of its tenant's configuration that its codes name.
--
-- KEYS[1]  request  string: the body
-- KEYS[2]  config   hash: enabled, channel:CODE, template:CODE
--
-- Returns {"unknown"} (never accepted, or sent and forgotten) | {"unreadable"}
--   | {"known", body, enabled, channel, template}, each '' where the configuration has none

local body = redis.call('GET', KEYS[1])
if not body then return {'unknown'} end

local is_json, asked = pcall(cjson.decode, body)
if not is_json or type(asked) ~= 'table' then return {'unreadable'} end
local fields = redis.call('HMGET', KEYS[2], 'enabled',
  'channel:' .. tostring(asked.channel_code), 'template:' .. tostring(asked.template_code))
return {'known', body, fields[1] or '', fields[2] or '', fields[3] or ''}
