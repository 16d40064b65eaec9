-- redrive.lua: a person has what was never posted tried anew, or orders another post.
--
-- ARGV[4]  marker            random; names the new round in the provider, and this call
-- ARGV[5]  expires_after_ms  counted from now
-- ARGV[6]  "never posted" or "post again": what the person takes it for
-- ARGV[7]  by                ARGV[8] why: kept in the history and told to everyone
--
-- Returns {"ok"} | {"in_progress", state} | {"may_be_posted", outcome} | {"too_late", outcome}
--   | {"unknown"}

local marker, is_ordered, by, why = ARGV[4], ARGV[6] == 'post again', ARGV[7], ARGV[8]

if not record.state then return {'unknown'} end
-- Written again, for WAIT speaks of what its own connection wrote.
if record.marker == marker then
  change({marker = marker})
  return {'ok'}
end
if not TERMINAL[record.state] then return {'in_progress', record.state} end
if record.state == 'sent' then return {'too_late', 'sent'} end
-- A stray receipt says so of what had ended as never posted.
local may_be_posted = record.state == 'unproven' or record.stray_receipts
if may_be_posted and not is_ordered then return {'may_be_posted', record.state} end
if is_ordered and not may_be_posted then return {'too_late', record.state} end

local ended = record.state
change({state = 'waiting', marker = marker, not_before = 0, expires_at = now + tonumber(ARGV[5]),
  attempts = 0, returns = 0, dispatches = 0, token = false, settled_at = false, error = false,
  reason = false, cancel_asked = false, cancel_by = false, cancel_why = false, intent_at = false,
  target = false, stray_receipts = false, perhaps_posted = is_ordered and 1, epoch = epoch[1]})
for _, key in ipairs({delivery, history, request}) do redis.call('PERSIST', key) end
count('waiting')
due_at(now)
note(is_ordered and 'post ordered' or 'redriven', {by = by, why = why, ended = ended})
tell('redriven', {receipt = '', by = by, why = why,
  reason = is_ordered and 'another post is ordered, whatever became of an earlier one'})
return {'ok'}
