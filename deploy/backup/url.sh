# Read by the scripts beside it: sets `url` to the URL in the file $1, without its password, which
# goes to PostgreSQL's programs in a variable: other users of the machine can read arguments.
url=$(cat "$1")
PGPASSWORD=$(printf %s "$url" | sed -n 's|^[a-z]*://[^:/@]*:\([^@/]*\)@.*|\1|p')
url=$(printf %s "$url" | sed 's|^\([a-z]*://[^:/@]*\):[^@/]*@|\1@|')
case $PGPASSWORD in
"") unset PGPASSWORD ;;
*%*)
    echo "the password in $1 contains \`%\`; use one of letters and digits" >&2
    exit 1
    ;;
*) export PGPASSWORD ;;
esac
