"""The pages of second factors: the step, the enrollment in a login, and the account's."""
