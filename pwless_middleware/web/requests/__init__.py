"""What a request says: its body, query, cookies, client, language and place."""
