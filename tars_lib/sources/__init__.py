"""Fill an organisation from where its data lie."""
