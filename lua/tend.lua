-- tend is what the reconciler does every moment: it says until when holds may expire, trims the
-- stream behind what the ledger has, and closes the gate for reserve while too much waits.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate, expire_until
--   KEYS[2]  events        stream
--   ARGV[1]  expire_until  Unix ms, or "" to leave it
--   ARGV[2]  position      id of the last applied entry, which stays; "" trims nothing
--   ARGV[3]  backlog_max   entries from which the gate is closed; it opens again at half of them
-- Output: the one word "fenced", "loading", "stopped" (gate), or
--   {"ok", gate, entries}        the gate, open or backlog, and how many entries there are

-- bind
local stock_key, events_key = KEYS[1], KEYS[2]
local til, position, backlog_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- read
local closed = read_stock(stock_key, {}, 1, 0)
if closed and closed ~= 'backlog' then return { closed } end

-- decide
local later = til ~= '' and tonumber(til) > (expire_until or 0)

-- write
if position ~= '' then redis.call('XTRIM', events_key, 'MINID', position) end
local entries = redis.call('XLEN', events_key)
local gate = closed or 'open'
if not closed and entries > backlog_max then
  gate = 'backlog'
  redis.call('HSET', stock_key, 'gate', gate)
elseif closed and entries <= backlog_max / 2 then
  gate = 'open'
  redis.call('HDEL', stock_key, 'gate')
end
if later then redis.call('HSET', stock_key, 'expire_until', til) end

-- return
return { 'ok', gate, int(entries) }
