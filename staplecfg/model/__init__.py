"""The nouns. Values without effects, which import nothing of ours."""
