-- trimmable.lua: the oldest events of the log, if they are folded and older than the retention.
--
-- Returns {event_id, tenant, id, ...}: tenant and id are '' where the event is of no request

local answer = {}
for _, event in ipairs(oldest('requests', requests)) do
  local fields = {}
  for place = 1, #event[2], 2 do fields[event[2][place]] = event[2][place + 1] end
  answer[#answer + 1] = event[1]
  answer[#answer + 1] = fields.tenant or ''
  answer[#answer + 1] = fields.id or ''
end
return answer
