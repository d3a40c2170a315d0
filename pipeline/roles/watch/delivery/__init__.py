"""How alerts reach people: `messages` writes them (pure), `channels` sends them (shell)."""
