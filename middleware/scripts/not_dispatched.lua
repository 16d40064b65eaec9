-- not_dispatched.lua: what a sweep handed out did not reach the queue, so it repeated nothing.
--
-- ARGV[4]  window_ms  the first one again: what the queue still holds is not known
--
-- Returns {"ok"}, also where it was claimed or has ended since: then there is nothing to take back

-- A sweep counts and a claim begins anew, so none is counted but while a message is waited for.
if number('dispatches') == 0 then return {'ok'} end
change({dispatches = 0})
due_at(math.min(number('due'), now + tonumber(ARGV[4])))
return {'ok'}
