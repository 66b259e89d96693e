"""The scripts by which a shell asks what may come next. Each hands over the words so far, and shows what is answered:
a line for each candidate, with its meaning behind a tab; ``@files`` and ``@folders`` leave the rest to the shell.
"""

from __future__ import annotations

_BASH = r"""# Completion of datakeel for bash 4.4 and newer:  source <(datakeel completion bash)
_datakeel() {
    local line=${COMP_LINE:0:COMP_POINT} cur cut word
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    cur=${words[-1]}
    # bash replaces what stands behind the last of these signs only
    cut=${cur%"${cur##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        case $word in
            @files) compopt -o filenames 2>/dev/null
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${cur#"$cut"}") ;;
            @folders) compopt -o filenames 2>/dev/null
                while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -d -- "${cur#"$cut"}") ;;
            *) word=${word#"$cut"}
                # what a platform calls things must not mean anything to the shell
                [[ $word =~ ^[A-Za-z0-9._/:=@%+,!~-]*$ ]] || printf -v word %q "$word"
                COMPREPLY+=("$word") ;;
        esac
    done < <("${words[0]}" completion bash -- "${words[@]:1}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[/:] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _datakeel datakeel
"""

_ZSH = r"""#compdef datakeel
# Completion of datakeel for zsh:  source <(datakeel completion zsh)  or as _datakeel in a folder of $fpath
_datakeel() {
    local line word
    local -a lines described open
    lines=("${(@f)$("${words[1]}" completion zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        word=${line%%$'\t'*}
        case $word in
            @files) compset -P '*='; _files ;;
            @folders) compset -P '*='; _files -/ ;;
            */|*:) open+=($word) ;;
            *) described+=("${word//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    (( $#open )) && compadd -S '' -- $open
    (( $#described )) && _describe -t words 'datakeel' described
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _datakeel "$@"; else compdef _datakeel datakeel; fi
"""

_FISH = r"""# Completion of datakeel for fish:  datakeel completion fish | source
function __datakeel_candidates
    set -l words (commandline -opc)
    set -l begun (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    for line in ($program completion fish -- $words "$begun" 2>/dev/null)
        switch $line
            case '@files*'
                __fish_complete_path "$begun"
            case '@folders*'
                __fish_complete_directories "$begun"
            case '*'
                echo $line
        end
    end
end
complete -c datakeel -f -a '(__datakeel_candidates)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
