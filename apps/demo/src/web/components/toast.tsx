import { Icon, type IconName } from './icon.js'

/** A message at the page's edge, which nobody needs to answer. */
export function Toast({ icon, title, text }: { icon: IconName; title: string; text: string }) {
  return (
    <div className="toast">
      <span className="toast-mark">
        <Icon name={icon} />
      </span>
      <p>
        <strong>{title}</strong>
        <span>{text}</span>
      </p>
    </div>
  )
}
