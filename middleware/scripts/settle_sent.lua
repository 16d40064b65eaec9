-- settle_sent.lua: record a receipt: a fact, taken from anyone, at any time.
--
-- ARGV[4]  token    of the claim that got it
-- ARGV[5]  receipt  opaque; equal receipts are the same post
--
-- Returns {"ok"} | {"late"} (no longer the holder, taken all the same)
--   | {"late_post"} (posted though recorded as never posted) | {"duplicate_post"} (posted twice)

local token, receipt = ARGV[4], ARGV[5]

local function alert(answer)
  if record.stray_receipt ~= receipt then
    change({stray_receipt = receipt})
    note(answer, {receipt = receipt})
    tell(answer, receipt)
  end
  return {answer}
end

if not record.state then
  change({attempts = 0, accepted_at = now})
  finish('sent', {receipt = receipt, token = token})
  return alert('late_post')
end
if record.state == 'sent' then
  if record.receipt == receipt then return {is_holder(token) and 'ok' or 'late'} end
  return alert('duplicate_post')
end
if TERMINAL[record.state] and record.state ~= 'unproven' then return alert('late_post') end

local answer = is_holder(token) and 'ok' or 'late'
finish('sent', {receipt = receipt, token = token, error = false, reason = false})
return {answer}
