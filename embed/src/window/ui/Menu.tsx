/** The menu of the heading: opened by its button, walked by the arrow keys, closed by Escape. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useSurface } from './context';
import { Icon } from './icons';

export interface MenuItem {
  label: string;
  /** Of an item that is switched on and off. */
  isOn?: boolean;
  action(): void;
}

export function Menu({ items }: { items: MenuItem[] }) {
  const { strings } = useSurface();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const all = () => [...(root.current?.querySelectorAll<HTMLElement>('.items button') ?? [])];

  useLayoutEffect(() => {
    if (isOpen) all()[0]?.focus();
  }, [isOpen]);

  useEffect(() => {
    if (!isOpen) return;
    const onPress = ({ target }: Event) => {
      if (!root.current?.contains(target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPress);
    return () => document.removeEventListener('pointerdown', onPress);
  }, [isOpen]);

  function move(key: string): boolean {
    const list = all();
    const now = list.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[key];
    if (next === undefined) return false;
    list.at(next % list.length)?.focus();
    return true;
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape' || event.key === 'Tab') {
      setOpen(false);
      button.current?.focus();
    } else if (!move(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="menu" ref={root}>
      <button
        type="button"
        class="plain"
        ref={button}
        aria-label={strings.menu}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div
          class="items"
          role="menu"
          aria-label={strings.menu}
          tabIndex={-1}
          onKeyDown={onKeyDown}
        >
          {items.map(({ label, isOn, action }) => (
            // biome-ignore lint/a11y/useAriaPropsSupportedByRole: an item that can be checked has a role for it
            <button
              type="button"
              role={isOn === undefined ? 'menuitem' : 'menuitemcheckbox'}
              aria-checked={isOn}
              tabIndex={-1}
              key={label}
              onClick={() => {
                setOpen(false);
                action();
              }}
            >
              {label}
              {isOn && <Icon name="check" />}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
