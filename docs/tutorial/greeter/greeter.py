def greet(name):
    return "Hello, %s!" % name


def count(items):
    return "%d items" % len(items)
