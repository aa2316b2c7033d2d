# Start the demo with PWLESS_API_KEY=pwk_… (32 characters or more after pwk_).
API="http://localhost:8000/auth/api/v1/passwordless/email"
KEY="Authorization: Bearer $PWLESS_API_KEY"
TYPE="Content-Type: application/json"

# send → {"auth_request_id": "…", "expires_at": "…", "expires_in": 300, …}
curl -sS "$API/send" -H "$KEY" -H "$TYPE" -d '{"email": "jo@example.com"}'

# resend, with the auth_request_id of the answer
curl -sS "$API/resend" -H "$KEY" -H "$TYPE" -d "{\"auth_request_id\": \"$REQUEST_ID\"}"

# verify, with the code from the mail → {"user_id": "…", "session_token": "pws_…", …}
curl -sS "$API/verify" -H "$KEY" -H "$TYPE" \
  -d "{\"auth_request_id\": \"$REQUEST_ID\", \"code\": \"$CODE\"}"
