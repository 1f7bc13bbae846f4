/**
 * The rules of plain English that a program can check:
 *
 * - A sentence has 28 words at most.
 * - No semicolons.
 * - "If" for conditions and "when" for events: "where" is for places.
 * - A verb with "not", and no negated noun ("is no function").
 * - No clause as a subject ("who …", "what …", "whoever …").
 * - The glossary's words: "cancel" and not "give up", "transport" and not "wire".
 * - Present tense and "must": no "shall".
 * - No sentence that continues another one with "…".
 * - None of the phrases that were replaced by plain ones.
 */
interface ProseFault {
  readonly rule: string
  /** The sentence, shortened. */
  readonly text: string
}

const MAX_WORDS = 28

const RULES: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['semicolon', /;/],
  ['"where" for a condition', /(?:^|[,:] |\()[Ww]here (?!to\b|is\b|are\b)/],
  ['"give up" in place of "cancel"', /\b(?:giv(?:e|es|en|ing)|gave)(?: \w+)? up\b/],
  ['"shall"', /\bshall\b/],
  ['"who" as a subject', /(?:^|[.:,] )(?:Who|who)(?:ever)? (?!is\b|are\b)[a-z]+\b(?!\?)/],
  ['"whoever" or "whatever"', /\b(?:[Ww]hoever|[Ww]hatever|[Ww]homever)\b/],
  ['"what" as a subject', /(?:^|[.:] )What [^?]*$/],
  [
    'a negated noun',
    /\b(?:is|are|was|were|knows?|carr(?:y|ies)) no (?!longer\b|more\b|matter\b|such\b)(?!connection\b)[a-z]/,
  ],
  ['"none" as an answer', /\b(?:is|are) none\b/],
  ['"meanwhile"', /\bmeanwhile\b/],
  ['"anew"', /\banew\b/],
  ['"has to"', /\b(?:has|have|had) to\b/],
  ['"the other\'s business"', /\bbusiness\b/],
  ['"comes to be"', /\b(?:comes?|came) (?:to be|back is)\b/],
  ['"wire" in place of "transport"', /\b(?:over|of|to) (?:a|the|another) wire\b/],
  ['a continued sentence', /(?:^|\s)…\s+[a-z]|[a-z,] …$/],
]

/** The faults of sentences, one for each rule that a sentence breaks. */
export function faultsOf(sentences: readonly string[]): ProseFault[] {
  return sentences.flatMap((sentence) => {
    const words = sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
    const text = sentence.length > 100 ? `${sentence.slice(0, 97)}…` : sentence
    const broken = RULES.filter(([, pattern]) => pattern.test(sentence)).map(([rule]) => ({
      rule,
      text,
    }))
    return words > MAX_WORDS ? [...broken, { rule: `${words} words`, text }] : broken
  })
}

/** The sentences of a page: without code, tables, comments and headings, and with the texts of links. */
export function proseOfMarkdown(markdown: string): string[] {
  const text = markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replaceAll(/^(```+|~~~+)[\s\S]*?^\1$/gm, '\n\n')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/^\s*(?:\||#|<|\[[^\]]+\]: ).*$/gm, '\n')
    .replaceAll(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replaceAll(/`[^`]*`/g, 'CODE')
    .replaceAll(/\*\*?|__/g, '')
    .replaceAll(/^\s*(?:[-*]|\d+\.) /gm, '\n\n')
  return text.split(/\n\s*\n/).flatMap(sentencesOf)
}

/** The sentences of the errors that a program throws: the texts in `new Rpc…Error(…)`. */
export function proseOfErrors(program: string): string[] {
  const errors = program.matchAll(
    /new Rpc\w*Error\(\s*(?:[\w.]+,\s*)?(['"`])((?:\\.|(?!\1)[^\\])*)\1/g,
  )
  return [...errors].flatMap(([, , text = '']) =>
    sentencesOf(text.replaceAll(/\$\{[^}]*\}/g, 'CODE')),
  )
}

function sentencesOf(paragraph: string): string[] {
  return paragraph
    .replaceAll(/\s+/g, ' ')
    .split(/(?<=[.!?])\s+(?=[\p{Lu}"“(])|(?<=:)\s+(?=\p{Lu})/u)
    .map((sentence) => sentence.trim())
    .filter(Boolean)
}
