"""Evidence becomes pictures: a widget where a kernel answers; HTML, text and a figure where none does.
All forms show the same numbers. Whatever a document holds, it is shown as text.
"""
