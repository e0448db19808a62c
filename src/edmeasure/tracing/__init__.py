"""Knowledge tracing: what has been learnt by now, answer by answer."""
