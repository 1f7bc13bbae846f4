// Tells bundlers that a value at the top level of a file may be left out where nobody uses it.
//
// `sideEffects` in a package.json says it of modules. A file that is made of many modules is either left out as a whole, or
// each of its statements is looked at: then bundlers keep what they take for an effect, such as a call, a spread, or
// the reading of a property. Here `const LIMITS = Object.freeze({ … })` becomes `const LIMITS = /* @__PURE__ */ Object.freeze({ … })`,
// and what is no call becomes one, of a function that returns it.
import { RolldownMagicString } from 'rolldown'
import { parseSync } from 'rolldown/utils'

const PURE = '/* @__PURE__ */ '

/**
 * @param {string} code of a module whose statements have no effects besides their values
 * @returns {{ code: string, map: string } | undefined} `undefined` if nothing has changed
 */
export function markPure(code) {
  const { program, errors } = parseSync('chunk.js', code)
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'))
  const text = new RolldownMagicString(code)
  for (const statement of program.body) {
    const declaration =
      statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration') continue
    for (const { id, init } of declaration.declarations) {
      if (id.type === 'Identifier' && init && !isPure(init)) mark(text, code, id.name, init)
    }
  }
  if (!text.hasChanged()) return undefined
  return { code: text.toString(), map: text.generateMap({ hires: 'boundary' }).toString() }
}

function mark(text, code, name, init) {
  // It says so of the call alone, and not of the arguments.
  const isMarked = code.slice(0, init.start).endsWith(PURE)
  const isCall = init.type === 'CallExpression' || init.type === 'NewExpression'
  if (!isMarked) text.appendLeft(init.start, PURE)
  if (isCall && init.arguments.every(isPure)) return
  const isObject = init.type === 'ObjectExpression'
  text.appendLeft(init.start, `(() => ${isObject ? '(' : ''}`)
  // In a function of its own it would not be named after the variable.
  if (init.type === 'ClassExpression' && !init.id) {
    text.appendLeft(init.start + 'class'.length, ` ${name}`)
  }
  text.appendRight(init.end, `${isObject ? ')' : ''})()`)
}

/** Whether bundlers know that an expression has no effect. What they may not know counts as one. */
function isPure(node) {
  switch (node.type) {
    case 'Literal':
    case 'Identifier':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true
    case 'TemplateLiteral':
      return node.expressions.every((expression) => expression.type === 'Literal')
    case 'UnaryExpression':
      return isNumber(node.argument)
    case 'BinaryExpression':
      return isNumber(node)
    case 'ParenthesizedExpression':
      return isPure(node.expression)
    case 'ArrayExpression':
      return node.elements.every((element) => element && isPure(element))
    case 'ObjectExpression':
      return node.properties.every(
        (property) => property.type === 'Property' && !property.computed && isPure(property.value),
      )
    case 'ClassExpression':
      return (
        (!node.superClass || node.superClass.type === 'Identifier') && node.body.body.every(isPlain)
      )
    case 'NewExpression':
      return (
        node.callee.type === 'Identifier' &&
        /^(Weak)?(Map|Set)$/.test(node.callee.name) &&
        node.arguments.every((argument) => argument.type === 'ArrayExpression' && isPure(argument))
      )
    default:
      return false
  }
}

function isNumber(node) {
  if (node.type === 'BinaryExpression') return isNumber(node.left) && isNumber(node.right)
  if (node.type === 'UnaryExpression') return isNumber(node.argument)
  return node.type === 'Literal'
}

/** Whether a class is made without an effect of this member. */
function isPlain(member) {
  if (member.type === 'StaticBlock' || (member.computed && !isSymbol(member.key))) return false
  return (
    member.type !== 'PropertyDefinition' || !member.static || !member.value || isPure(member.value)
  )
}

/** A symbol of the language, such as `Symbol.asyncIterator`. */
function isSymbol(key) {
  return (
    key.type === 'MemberExpression' &&
    !key.computed &&
    key.object.type === 'Identifier' &&
    key.object.name === 'Symbol'
  )
}
