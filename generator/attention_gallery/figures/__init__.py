"""Figures as fragments of HTML, SVG, PNG and Plotly, each with what it shows in words."""
