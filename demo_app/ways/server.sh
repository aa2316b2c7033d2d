# Start the demo with PWLESS_API_KEY=pwk_… (20 random characters or more after pwk_), in this shell.
API="http://localhost:8000/auth/api/v1/passwordless/email"
KEY="Authorization: Bearer $PWLESS_API_KEY"
TYPE="Content-Type: application/json"
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<< "$ANSWER"; }

# send → {"auth_request_id": "…", "expires_at": "…", "expires_in": 300, …}
ANSWER=$(curl -sS "$API/send" -H "$KEY" -H "$TYPE" -d '{"email": "jo@example.com"}')
echo "$ANSWER"

# resend, with the auth_request_id of the answer
ANSWER=$(curl -sS "$API/resend" -H "$KEY" -H "$TYPE" -d "{\"auth_request_id\": \"$(field auth_request_id)\"}")
echo "$ANSWER"

# verify, with the code from the mail → {"user_id": "…", "session_token": "pws_…", …}
read -r CODE
ANSWER=$(curl -sS "$API/verify" -H "$KEY" -H "$TYPE" \
  -d "{\"auth_request_id\": \"$(field auth_request_id)\", \"code\": \"$CODE\"}")
echo "$ANSWER"
