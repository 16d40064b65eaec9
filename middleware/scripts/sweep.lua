-- sweep.lua: move on one delivery that stands still; any number of sweepers may ask.
--
-- ARGV[4]  window_ms  doubled at each repetition
-- ARGV[5]  longest_window_ms
--
-- Returns {"enqueue", message} | {"make", actor, queue, thread_ts} (no message was ever kept)
--   | {"settled", outcome} | {"nothing"}

if not record.state or TERMINAL[record.state] then
  due_at(false)
  return {'nothing'}
end
if now < number('due') then return {'nothing'} end

if record.state == 'sending' then
  become_uncertain('the lease ended while a POST was on its way')
end

if record.state ~= 'uncertain' and past_expiry() then
  finish_expired()
  return {'settled', record.state}
end
if record.state == 'claimed' then
  note('lease over', {})
  wait_until(0)
end
local from = number('not_before')
if record.state == 'uncertain' then
  from = math.max(from, number('reconcile_at'), number('lease_until'))
end
if now < from then
  due_at(record.state == 'waiting' and math.min(from, number('expires_at')) or from)
  return {'nothing'}
end

local dispatches = number('dispatches')
local window_ms = math.min(tonumber(ARGV[4]) * 2 ^ math.min(dispatches, 20), tonumber(ARGV[5]))
change({dispatches = dispatches + 1})
if record.state == 'waiting' then
  count('waiting')
  due_at(math.min(now + window_ms, number('expires_at')))
else
  due_at(now + window_ms)
end
note('swept', {again_after_ms = window_ms})
if record.message then return {'enqueue', record.message} end
return {'make', record.actor, record.queue, record.thread_ts or ''}
