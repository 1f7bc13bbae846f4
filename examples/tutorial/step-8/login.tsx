export function Login({ onToken }: { onToken: (token: string) => void }) {
  return (
    <form action={(form) => onToken(String(form.get('token')))}>
      <input name="token" aria-label="Token" required />
      <button type="submit">Log in</button>
    </form>
  )
}
