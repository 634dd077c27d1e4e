-- forget deletes resolved reservations and old operations that the ledger has, unless they have
-- changed since. It writes no event: a resolved reservation holds no units.
--
-- Input
--   KEYS[1]  stock         hash    epoch, gate
--   KEYS[2]  reservations  hash    id -> record
--   KEYS[3]  operations    hash    id -> fingerprint, time, nonce
--   ARGV[1]  n             reservations
--   ARGV[2]  m             operations
--   ARGV[3]  the n ids, the m ids, then for each reservation: creation nonce, version; then for
--            each operation: creation nonce
-- Output: {"fenced"}, {"loading"}, {"stopped"} (gate), or
--   {"ok", reservations, operations}  how many were deleted

--@ records

-- bind
local stock_key, reservations_key, operations_key = KEYS[1], KEYS[2], KEYS[3]
local args = ARGV
local n, m = tonumber(args[1]), tonumber(args[2])
local first_id, first_operation, cursor = 3, 3 + n, 3 + n + m

-- read
local closed = read_stock(stock_key)
if closed then return { closed } end
read_records(reservations_key, args, first_id, first_operation - 1)
local operations = {}
read_fields(operations_key, args, first_operation, cursor - 1, function(id, text) operations[id] = text end)

-- decide
local RESOLVED = { released = true, expired = true, fulfilled = true }
local ids, operation_ids = {}, {}
for i = first_id, first_operation - 1 do
  local state, version, _, nonce = head_of(records[args[i]] or '')
  if RESOLVED[state] and nonce == args[cursor] and version == args[cursor + 1] then ids[#ids + 1] = args[i] end
  cursor = cursor + 2
end
for i = first_operation, 2 + n + m do
  local text = operations[args[i]]
  if text and split(text, US)[4] == args[cursor] then operation_ids[#operation_ids + 1] = args[i] end
  cursor = cursor + 1
end

-- write
if #ids > 0 then redis.call('HDEL', reservations_key, unpack(ids)) end
if #operation_ids > 0 then redis.call('HDEL', operations_key, unpack(operation_ids)) end

-- return
return { 'ok', int(#ids), int(#operation_ids) }
