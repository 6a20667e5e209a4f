"""What notes ask of the captures and are held to: answers, claims, embeds, links, and their words."""
