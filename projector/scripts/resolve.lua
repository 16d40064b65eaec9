-- resolve.lua: a request and the fields of its tenant's configuration that its codes name.
--
-- KEYS[1]  request  string: the body
-- KEYS[2]  config   hash: enabled, channel:CODE, channel_since:CODE, template:CODE
--
-- Returns {"unknown"} (never accepted, or sent and forgotten) | {"unreadable"}
--   | {"known", body, enabled, channel, channel_since, template}, each '' where there is none

local body = redis.call('GET', KEYS[1])
if not body then return {'unknown'} end

local is_json, asked = pcall(cjson.decode, body)
if not is_json or type(asked) ~= 'table' then return {'unreadable'} end
local channel_code, template_code = tostring(asked.channel_code), tostring(asked.template_code)
local fields = redis.call('HMGET', KEYS[2], 'enabled', 'channel:' .. channel_code,
  'channel_since:' .. channel_code, 'template:' .. template_code)
return {'known', body, fields[1] or '', fields[2] or '', fields[3] or '', fields[4] or ''}
