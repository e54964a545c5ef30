"""Events as they happen: lines or HTTP requests in, an answer for each once Mailchimp has answered."""
