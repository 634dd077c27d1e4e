-- requests answers the requests of a batch. It stands after a script's read section, and uses its
-- args, n, now, first_id, first_request and locations_version. A script that reduces n answers only
-- the first requests: the caller sends the others again.

-- answer_each calls decide with the id, the place and the arguments of each request. It returns the
-- reply. A request has head arguments. If it has items of some size, the last is their number.
local function answer_each(decide, head, size)
  local reply, at = { 'ok', int(now), locations_version }, first_request
  for i = 1, n do
    reply[2 * i + 2], reply[2 * i + 3] = decide(args[first_id + i - 1], at, unpack(args, at, at + head - 1))
    at = at + head + (size and size * args[at + head - 1] or 0)
  end
  return reply
end
