"""What a user asks for as a whole: each workflow has a plan, a folder that can be resumed, and a typed result."""
