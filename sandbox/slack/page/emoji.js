// The shortcodes that notifications use; others stay as they are written.

export const EMOJI = {
  "+1": "👍", "-1": "👎", "100": "💯", alarm_clock: "⏰", ambulance: "🚑", arrow_right: "➡️",
  art: "🎨", bangbang: "‼️", bar_chart: "📊", bell: "🔔", bookmark: "🔖", boom: "💥", bug: "🐛",
  bulb: "💡", calendar: "📆", chart_with_downwards_trend: "📉", chart_with_upwards_trend: "📈",
  clap: "👏", computer: "💻", construction: "🚧", email: "📧", exclamation: "❗", eyes: "👀",
  fire: "🔥", gear: "⚙️", gift: "🎁", green_heart: "💚", grin: "😁", hammer: "🔨",
  hammer_and_wrench: "🛠️", heart: "❤️", heavy_check_mark: "✔️", heavy_exclamation_mark: "❗",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", information_source: "ℹ️", inbox_tray: "📥",
  incoming_envelope: "📨", joy: "😂", key: "🔑", large_blue_circle: "🔵", large_green_circle: "🟢",
  large_orange_circle: "🟠", large_red_square: "🟥", large_yellow_circle: "🟡", link: "🔗",
  lock: "🔒", loudspeaker: "📢", mag: "🔍", mega: "📣", memo: "📝", moneybag: "💰", muscle: "💪",
  no_entry: "⛔", ok: "🆗", ok_hand: "👌", outbox_tray: "📤", package: "📦", partying_face: "🥳",
  point_right: "👉", pray: "🙏", question: "❓", raised_hands: "🙌", recycle: "♻️", red_circle: "🔴",
  robot_face: "🤖", rocket: "🚀", rotating_light: "🚨", see_no_evil: "🙈", ship: "🚢",
  shipit: "🐿️", slightly_smiling_face: "🙂", smile: "😄", smiley: "😃", snail: "🐌",
  sparkles: "✨", speech_balloon: "💬", star: "⭐", sunny: "☀️", sweat_smile: "😅", tada: "🎉",
  thinking_face: "🤔", thumbsup: "👍", thumbsdown: "👎", ticket: "🎫", traffic_light: "🚥",
  trophy: "🏆", unlock: "🔓", warning: "⚠️", wave: "👋", white_check_mark: "✅", wrench: "🔧",
  x: "❌", zap: "⚡", zzz: "💤",
};
