"""May this URL be fetched, and may it be kept?

`robots` reads robots.txt (RFC 9309), `opt_outs` what a response reserves (robots meta elements, TDM reservation protocol),
`takedown_watch` follows the takedown list of the store.
"""
