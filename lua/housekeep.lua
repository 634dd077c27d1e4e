-- housekeep is the reconciler's housekeeping. It moves the time until which holds may expire, trims
-- the stream behind the ledger, and closes the gate for reserve while the stream is too long.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, expire_until, grace_until
--   KEYS[2]  events        stream
--   ARGV[1]  expire_until  Unix ms, or "" to leave it. It also stays before grace_until
--   ARGV[2]  position      id of the last applied entry, which stays; "" trims nothing. A call trims
--                          a bounded number of entries
--   ARGV[3]  backlog_max   the most entries with the gate open; it opens again at half of them
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), or
--   {"ok", gate, entries}        the gate, open or backlog, and the entries in the stream

-- bind
local stock_key, events_key = KEYS[1], KEYS[2]
local til, position, backlog_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- read
local closed, _, backlog = read_stock(stock_key)
if closed then return { closed } end

local first = position ~= '' and redis.call('XRANGE', events_key, '-', '+', 'COUNT', 1)[1]
local grace = til ~= '' and redis.call('HGET', stock_key, 'grace_until')

-- decide
local TRIM_MAX = 20000 -- entries in one call; the next call trims the others
if first then
  local epoch, from = string.match(first[1], '^(%d+)%-(%d+)$')
  local position_epoch, to = string.match(position, '^(%d+)%-(%d+)$')
  if epoch ~= position_epoch or to - from > TRIM_MAX then position = epoch .. '-' .. int(from + TRIM_MAX) end
end
if grace and clock('') < (whole(grace) or 0) then til = '' end
local later = til ~= '' and tonumber(til) > (expire_until or 0)

-- write
if position ~= '' then redis.call('XTRIM', events_key, 'MINID', position) end
local entries = redis.call('XLEN', events_key)
if not backlog and entries > backlog_max then
  backlog = true
  redis.call('HSET', stock_key, 'gate', 'backlog')
elseif backlog and entries <= backlog_max / 2 then
  backlog = false
  redis.call('HDEL', stock_key, 'gate')
end
if later then redis.call('HSET', stock_key, 'expire_until', til) end
if later and grace then redis.call('HDEL', stock_key, 'grace_until') end

-- return
return { 'ok', backlog and 'backlog' or 'open', int(entries) }
