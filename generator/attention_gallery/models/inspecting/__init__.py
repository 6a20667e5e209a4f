"""What a loaded model is: its layers, how it attends, how its weights are stored."""
