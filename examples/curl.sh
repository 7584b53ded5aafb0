#!/bin/sh
# A conversation with nothing but curl: an agent, a session, a message, its events as they happen, an approval.
#
#   npm start                                   in one terminal
#   examples/curl.sh                            in another, from the repository's root
#
# Without a model provider the built-in demo answers: it calls real tools and asks for one approval.
# BERTH_URL and BERTH_API_KEY say where the server is and what its key is; without them it is the one on this machine,
# with the key that its first start left in ./berth-data/admin.key. MODEL names another model. Needs curl, sed and grep.
set -eu

url=${BERTH_URL:-http://127.0.0.1:7420}/api/v1
key=${BERTH_API_KEY:-$(cat berth-data/admin.key)}
model=${MODEL:-demo/tour}
name=curl-example-$(date +%s)-$$
events=$(mktemp)
follower=
trap '[ -z "$follower" ] || kill "$follower" 2>/dev/null || true; rm -f "$events"' EXIT

# The key goes through standard input: a command line is seen by every process of the machine.
api() {
  printf 'header = "Authorization: Bearer %s"\n' "$key" | curl --config - --silent --show-error --fail-with-body "$@"
}
post() { # path body: a change has an Idempotency-Key, so that it can be sent again when its reply is lost
  api --header 'Content-Type: application/json' --header "Idempotency-Key: $name$1" --data "$2" "$url$1"
}
first() { # the first value of a field, from JSON on standard input
  sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1
}
await() { # pattern: waits until an event has come
  tries=0
  until grep -q "$1" "$events"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { echo "no $1 within 60 s" >&2; exit 1; }
    sleep 0.1
  done
}

echo "1. an agent"
post /agents "{\"name\": \"$name\", \"model\": \"$model\", \"tools\": [\"fs_*\", \"todo_*\", \"bash_run\"],
  \"permissions\": {\"mode\": \"auto\", \"requireApproval\": [\"bash_run\"]}}" > /dev/null

echo "2. a session"
session=$(post /sessions "{\"agent\": \"$name\"}" | grep -o 'ses_[0-9a-z]*' | head -n 1)
echo "   $session"

echo "3. its events, as they happen; with Last-Event-ID they would go on where they broke off"
api --no-buffer --header 'Accept: text/event-stream' "$url/sessions/$session/events/stream" > "$events" &
follower=$!

echo "4. a message"
post "/sessions/$session/events" '{"events": [{"type": "user.message", "content": "Show me what you can do."}]}' > /dev/null

echo "5. the run stops for an approval, which names the exact arguments"
await '^event: approval.requested'
approval=$(grep -o 'apr_[0-9a-z]*' "$events" | head -n 1)
api "$url/approvals/$approval" | grep -o '"input":{[^}]*}'
post "/approvals/$approval" '{"decision": "allow"}' > /dev/null

echo "6. the run goes on to its end"
await '^event: run.finished'
grep '^event: ' "$events" | grep -v delta | sort | uniq -c
status=$(api "$url/sessions/$session/runs" | first status)
echo "$status"
[ "$status" = completed ]
