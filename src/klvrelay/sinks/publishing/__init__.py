"""A sink that publishes what outputs make of records, to any far end that answers for each publication.

    far_end.py      the contract of a far end            publishing_sink.py  the sink
    publication.py  what is published of a record        publications.py     those of a batch, and their outcome
    outbox.py       sends publications, one group at a time
    ages.py         ages of replayed records             leaf.py             where a record is published
    output_topics.py  topics of outputs
"""
