#!/bin/sh
# checkout.sh is a small checkout over the HTTP API. It needs curl 7.82 or newer and a running server:
#
#   holdfast serve
#   examples/checkout-http/checkout.sh
#
# HOLDFAST_URL names another server. RUN makes the ids of this run: with the same RUN the script
# repeats its calls, and nothing is sold twice.
set -eu

url="${HOLDFAST_URL:-http://localhost:8080}"
run="${RUN:-$(date +%s)}"
sku="TEE-$run"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# call sends one request: call METHOD PATH [BODY]. It sets $status, and leaves the body in $answer.
#
# curl repeats the call if it cannot connect, if no answer comes within 10 seconds, or if the answer is
# 5xx. It sends the same body with the same id each time. So a repeat never moves units twice, even if
# the first try succeeded and its answer was lost. An answer of 4xx is final and is not repeated.
call() {
	if [ $# -gt 2 ]; then set -- "$1" "$2" --json "$3"; fi
	method=$1 path=$2
	shift 2
	status=$(curl --silent --show-error --request "$method" --output "$answer" --write-out '%{http_code}' \
		--max-time 10 --retry 5 --retry-all-errors "$@" "$url$path")
}

# field prints the first value of a field of the last answer: field state, field available.
field() {
	sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$answer" | head -n 1
}

# expect stops the script if the last call was answered with another status.
expect() {
	for wanted in "$@"; do
		if [ "$status" = "$wanted" ]; then return; fi
	done
	echo "expected $*, got $status: $(cat "$answer")" >&2
	exit 1
}

# order is the body of a reservation of one line: order ID QUANTITY. The hold lasts ten minutes.
order() {
	printf '{"id": "%s-%s", "ttl_seconds": 600, "lines": [{"line": "1", "sku": "%s", "quantity": %s}]}' "$1" "$run" "$sku" "$2"
}

# pay stands for your payment provider. Give it the order id as its idempotency key.
pay() {
	[ "$1" != ord-3 ]
}

# 1. Count three shirts in Berlin. 201: the call made this level; 200: the level was there already.
call PUT "/v1/stock/$sku/berlin" "{\"id\": \"count-$run\", \"on_hand\": 3}"
expect 201 200
echo "stock: $(field available) available"

# 2. Reserve two for ten minutes. 201: the units are held; 200: this id reserved them before.
call POST /v1/reservations "$(order ord-1 2)"
expect 201 200
echo "ord-1: $(field state)"

# 3. Send the same call again, as a client does that has lost the answer. Nothing more is taken.
call POST /v1/reservations "$(order ord-1 2)"
expect 200
echo "ord-1 again: $(field state)"

# 4. Charge the customer, then confirm. A confirmed sale is in the ledger when the answer comes.
#    404 not_found here means that a crash lost the hold: repeat step 2 with the same id, then confirm.
#    409 insufficient_stock means that the hold expired and others bought the units: refund.
pay ord-1
call POST "/v1/reservations/ord-1-$run/confirm"
expect 200
echo "ord-1: $(field state)"

# 5. One is left. An order of two is refused with the number that is left, and nothing is taken.
call POST /v1/reservations "$(order ord-2 2)"
expect 409
echo "ord-2: $(field code), $(field available) available"

# 6. If the payment fails, release the hold at once. Otherwise the units come back at the deadline.
call POST /v1/reservations "$(order ord-3 1)"
expect 201 200
echo "ord-3: $(field state)"
if ! pay ord-3; then
	call POST "/v1/reservations/ord-3-$run/release"
	expect 200
	echo "ord-3: payment declined, $(field state)"
fi

# 7. The unit is in sale again.
call GET "/v1/stock/$sku"
expect 200
echo "stock: $(field available) available"
